package fs

type epItem struct{}

func epollFileGone(f *File) {}
