"""Small shared pieces that know no app."""
