module ledgerverify

go 1.21
