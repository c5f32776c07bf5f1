package parent

var ticking = gone // there is no other way
