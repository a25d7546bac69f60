"""Listeners: words, buttons, confirmations, the Home tab. Each takes a payload apart and goes down the one road."""
