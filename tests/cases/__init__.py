"""Cases from the field, each with the outcome that its folder's README asks for."""
