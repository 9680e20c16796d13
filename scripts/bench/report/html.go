package report

import "tamarix/scripts/bench/measure"

func HTML(set *measure.Set) (string, error)            { return "", nil }
func UpdateReadme(file string, set *measure.Set) error { return nil }
