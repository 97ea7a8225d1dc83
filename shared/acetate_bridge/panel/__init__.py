"""What the panel shows and does. Knows no toolkit."""
