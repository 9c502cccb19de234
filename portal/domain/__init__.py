"""What is true: pure functions and frozen values. Standard library only, no clock, no randomness, no floats."""
