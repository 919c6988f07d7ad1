"""Models of time series: networks whose outputs are fed back as inputs."""
