package fileserver

import (
	"path"
	"slices"
	"strings"
	"unicode"
)

// SecretNames returns the names of files and directories that are not served unless
// [Config].Allow names them one by one. They are compared without regard to case; a star stands for
// any text. The copies that editors make of them, such as ".env~", count as well.
func SecretNames() []string { return slices.Clone(secretNames) }

var secretNames = []string{
	".git", ".hg", ".svn", ".bzr", // histories hold what was deleted
	".ssh", ".gnupg", ".aws", ".azure", ".gcloud", ".kube", ".docker",
	".netrc", "_netrc", ".authinfo", ".authinfo.gpg", ".htpasswd", ".htdigest", ".pgpass", ".my.cnf",
	".npmrc", ".pypirc", ".git-credentials", ".gitconfig", ".vault-token", ".s3cfg", ".boto", ".dockercfg",
	".kaggle", ".databrickscfg", ".cdsapirc", ".odbc.ini",
	".env", ".env.*", ".envrc",
	".Renviron", ".Renviron.*", ".Rprofile", ".Rhistory", ".RData", ".RDataTmp", ".Rproj.user",
	".bash_history", ".zsh_history", ".python_history", ".psql_history", ".mysql_history", ".sqlite_history", ".viminfo",
	"id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk",
	"*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.ppk", "*.kdbx",
}

// secretTable has the same names in lower case, by what is compared.
var secretTable = newNameTable(secretNames)

type nameTable struct {
	whole              map[string]bool
	prefixes, suffixes []string
}

func newNameTable(names []string) *nameTable {
	table := &nameTable{whole: make(map[string]bool)}
	for _, name := range names {
		name = strings.ToLower(name)
		switch {
		case strings.HasPrefix(name, "*"):
			table.suffixes = append(table.suffixes, name[1:])
		case strings.HasSuffix(name, "*"):
			table.prefixes = append(table.prefixes, strings.TrimSuffix(name, "*"))
		default:
			table.whole[name] = true
		}
	}
	return table
}

func (t *nameTable) has(name string) bool {
	return t.whole[name] ||
		slices.ContainsFunc(t.prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) ||
		slices.ContainsFunc(t.suffixes, func(suffix string) bool { return strings.HasSuffix(name, suffix) })
}

// copySuffixes are those of the copies that editors make.
var copySuffixes = []string{"~", ".bak", ".old", ".orig", ".save", ".swp", ".swo"}

// isSecret tells whether a name, without slashes, is that of a secret.
func isSecret(name string) bool {
	// Where Windows, or a disk of it, reads the name, what follows a colon is no part of it, and neither are
	// dots and spaces at the end.
	if colon := strings.IndexByte(name, ':'); colon > 0 && isSecret(name[:colon]) {
		return true
	}
	name = strings.TrimRight(name, ". ")
	if !maybeSecret(name) {
		return false
	}
	name = foldName(name)
	if secretTable.has(name) {
		return true
	}
	for _, suffix := range copySuffixes {
		if original, ok := strings.CutSuffix(name, suffix); ok {
			// That of a name is the name with a dot before it.
			return isSecret(original) || strings.HasPrefix(suffix, ".sw") && isSecret(strings.TrimPrefix(original, "."))
		}
	}
	if strings.HasPrefix(name, "#") {
		return isSecret(strings.Trim(name, "#"))
	}
	return false
}

// maybeSecret is a fast test that most names fail.
func maybeSecret(name string) bool {
	if name == "" {
		return false
	}
	switch name[0] {
	case '.', '_', '#', 'i', 'I':
		return true
	}
	if name[len(name)-1] == '~' || !isASCII(name) {
		return true
	}
	switch dot := strings.LastIndexByte(name, '.'); len(name) - dot {
	case 4, 5, 9: // .pem, .orig, .keystore
		return dot >= 0
	default:
		return false
	}
}

// foldName returns a name as file systems that do not tell upper from lower case compare it.
func foldName(name string) string {
	name = strings.ToLower(name)
	if isASCII(name) {
		return name
	}
	return asciiLetters.Replace(strings.Map(func(r rune) rune {
		if isIgnored(r) {
			return -1
		}
		return r
	}, name))
}

// asciiLetters replaces the letters that are equal to those of ASCII but for their case.
var asciiLetters = strings.NewReplacer(
	"\u017f", "s", "\u00df", "ss", "\ufb00", "ff", "\ufb01", "fi", "\ufb02", "fl", "\ufb03", "ffi", "\ufb04", "ffl", "\ufb05", "st", "\ufb06", "st",
)

// isIgnored tells whether such a file system ignores a code point in a name.
func isIgnored(r rune) bool {
	return r >= 0x80 && unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= 0x80 {
			return false
		}
	}
	return true
}

// isDotted tells whether a name begins with a dot.
func isDotted(name string) bool {
	return strings.HasPrefix(name, ".") || name != "" && name[0] >= 0x80 && strings.HasPrefix(strings.TrimLeftFunc(name, isIgnored), ".")
}

// hider returns a test for slash-separated names below the directory at a prefix: those that are not served.
func (c *Config) hider(prefix string) func(name string) bool {
	var allowed []string
	for _, name := range c.Allow {
		if inside, ok := strings.CutPrefix("/"+name, prefix); ok {
			allowed = append(allowed, inside)
		}
		if len(c.Mounts) == 1 {
			allowed = append(allowed, name)
		}
	}
	return func(name string) bool {
		for rest := name; rest != ""; {
			part := rest
			if slash := strings.IndexByte(rest, '/'); slash >= 0 {
				part, rest = rest[:slash], rest[slash+1:]
			} else {
				rest = ""
			}
			if c.HideDots && isDotted(part) && part != ".well-known" || isSecret(part) {
				return !slices.Contains(allowed, path.Clean(name))
			}
		}
		return false
	}
}
