"""Time series that books and papers test networks with."""
