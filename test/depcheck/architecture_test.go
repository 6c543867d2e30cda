package depcheck

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentsNameWhatExists keeps the documents for those who change the code true: the tests, packages and files that they name
// are there.
func TestDocumentsNameWhatExists(t *testing.T) {
	tests := testNames(t)
	for file, least := range map[string]int{"docs/architecture.md": 30, "CONTRIBUTING.md": 20} {
		document, err := os.ReadFile("../../" + file)
		if err != nil {
			t.Fatal(err)
		}
		named := 0
		for _, quoted := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(document), -1) {
			name := quoted[1]
			switch {
			case regexp.MustCompile(`^(Test|Fuzz)[A-Z]\w*$`).MatchString(name):
				named++
				if !tests[name] {
					t.Errorf("%s: there is no test %s", file, name)
				}
			case regexp.MustCompile(`^(cmd|config|pkg|test)/[^*]*$`).MatchString(name):
				named++
				if _, err := os.Stat("../../" + name); err != nil {
					t.Errorf("%s: there is no %s", file, name)
				}
			}
		}
		if named < least {
			t.Errorf("%s names %d tests, packages and files: this test does not read it", file, named)
		}
	}
}

// testNames returns the names of all tests and fuzz targets.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(`)
	for _, root := range []string{"../../cmd", "../../config", "../../pkg", "../../test"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			for _, match := range function.FindAllStringSubmatch(string(source), -1) {
				names[match[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}
