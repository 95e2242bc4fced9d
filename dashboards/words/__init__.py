"""Every word on a page, in Chinese and English."""
