"""What a transaction can and cannot hold."""
