"""TradingView's alerts: JSON or `key=value;key=value`, the same fields, one meaning.

TradingView fills placeholders (`{{ticker}}`) and sends the text as it is: numbers come as strings, and a
placeholder that it doesn't know comes unfilled.
"""
