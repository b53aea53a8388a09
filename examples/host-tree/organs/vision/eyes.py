def look(): return "dark"
