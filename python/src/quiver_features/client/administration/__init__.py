"""What a running server serves, and how that is changed: quiver.v1.AdminService in Python's words."""
