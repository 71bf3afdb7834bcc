"""The API's messages."""
