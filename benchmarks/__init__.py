"""The measurements that deltarule's documentation reports."""
