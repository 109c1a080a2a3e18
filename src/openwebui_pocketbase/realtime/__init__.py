"""From the change feed to the open browsers and to other plugins; and PocketBase's announcements that it has grown."""
