"""Time series: networks whose outputs come back as their inputs."""
