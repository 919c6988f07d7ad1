def test_a_stage_knows_the_size_of_what_it_takes_and_gives(make):
    program = make("same, overlapping max").program
    first, pool, second, _ = program.stages
    assert (first.kind, pool.kind, second.kind) == ("convolution", "max", "convolution")
    assert [(view.image, view.stops, view.seen) for view in program.views] == [
        ((7, 5, 1), (4, 5), 12),
        ((4, 5, 4), (2, 5), 24),
        ((2, 5, 4), (2, 4), 8),
    ]
    assert first.view.margins == ((1, 2), (1, 1))
    assert [(stage.n_in, stage.n_out) for stage in program.stages] == [(35, 80), (80, 40), (40, 16), (16, 3)]
    assert (program.inputs, program.widest, program.outputs) == (35, 80, 3)
