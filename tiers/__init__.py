"""ABC tiers: policies, runs, reasons, and the tier report."""
