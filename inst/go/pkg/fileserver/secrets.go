package fileserver

// SecretNames are the names of files and directories that are never served unless
// [Config].Allow names them. They are compared without regard to case; a star stands for any text.
var SecretNames = []string{}
