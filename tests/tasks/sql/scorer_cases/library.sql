CREATE TABLE authors (author_id INTEGER PRIMARY KEY, name TEXT, born INTEGER);
CREATE TABLE books (book_id INTEGER PRIMARY KEY, author_id INTEGER REFERENCES authors(author_id), title TEXT, price REAL, genre TEXT, pages INTEGER);
CREATE TABLE reviews (review_id INTEGER PRIMARY KEY, book_id INTEGER REFERENCES books(book_id), stars INTEGER);
INSERT INTO authors VALUES (1, 'Ada', 1900), (2, 'Bo', 1950), (3, 'Cy', NULL);
INSERT INTO books VALUES (1, 1, 'One', 10.0, 'novel', 100), (2, 1, 'Two', 12.5, 'novel', 200), (3, 2, 'Three', 10.0, 'poetry', 200),
    (4, 2, 'Four', NULL, 'poetry', NULL), (5, 2, 'Five', 3.0, 'novel', 50);
