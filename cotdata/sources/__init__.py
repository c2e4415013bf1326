"""Where records come from: files and hubs, and how their records become rows."""
