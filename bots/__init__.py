"""THE PEOPLE'S EDGE: Telegram, notifications, operators' commands."""
