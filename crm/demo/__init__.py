"""The demo company, 云岭食品: made up from real places, plausible words and a seed."""
