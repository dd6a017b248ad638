"""What serves the commands; nothing else imports it."""
