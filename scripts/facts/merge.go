package main

func proveMerge(types map[string]*Type) []string { return nil }
