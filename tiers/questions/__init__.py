"""The eight questions of P48 and the Pareto curve of P14, for any period and any slice."""
