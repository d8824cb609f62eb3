"""One verb per file: what a user types. The code behind them lives in the rooms it belongs to."""
