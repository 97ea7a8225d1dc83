"""What Acetate shows of itself: `python -m acetate.demo FOLDER`."""
