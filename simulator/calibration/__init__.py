"""Does the generator make the motion that was measured on real quakes? Figures, not opinions."""
