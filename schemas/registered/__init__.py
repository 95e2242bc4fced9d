"""What is registered of sites and devices; `schemas.registry` gives out what others need of it."""
