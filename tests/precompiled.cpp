// A library needs a file; the precompiled header is what it is for.
