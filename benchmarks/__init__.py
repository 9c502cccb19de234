"""What things cost. `make bench` runs every module here that has a `main()`: figures are printed, not asserted."""
