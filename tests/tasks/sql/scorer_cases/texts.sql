CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, day TEXT, raw BLOB, city TEXT COLLATE NOCASE);
INSERT INTO notes VALUES (1, 'Ann', '2024-01-05', x'4142', 'Rome'), (2, 'ann', '2024-02-10', x'00ff', 'ROME'),
    (3, ' Ann ', '2024-12-31', NULL, 'Oslo'), (4, '', '2023-12-31', x'', 'oslo'), (5, 'Größe', NULL, CAST(x'ff41' AS TEXT), NULL);
