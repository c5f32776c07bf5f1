package rgoipc

// objectClass describes a type of objects in the manifest.
type objectClass struct {
	Doc     string `json:",omitempty"`
	Methods map[string]FunctionSignature
}

// objectClasses returns the types of objects.
func (r *Registry) objectClasses() map[string]objectClass { return nil }

// function returns the function of a call, or the method of an object.
func (c *connection) function(name, object string) (*Function, error) {
	if object == "" {
		if fn, ok := c.registry.Get(name); ok {
			return fn, nil
		}
	}
	return nil, c.registry.noFunction(name)
}

// release lets go objects. The payload has 20 bytes for each: its id, and how often R has
// received it.
func (c *connection) release([]byte) error { return unknownType(MsgTypeRelease) }
