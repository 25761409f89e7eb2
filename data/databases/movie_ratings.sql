-- Films, their directors and the stars that members of a film club gave them.
CREATE TABLE director (
  id INTEGER PRIMARY KEY,
  name TEXT,
  country TEXT,
  born INTEGER
);
CREATE TABLE film (
  id INTEGER PRIMARY KEY,
  title TEXT,
  year INTEGER,
  genre TEXT,
  minutes INTEGER,
  director_id INTEGER,
  sequel_of INTEGER,
  FOREIGN KEY (director_id) REFERENCES director(id),
  FOREIGN KEY (sequel_of) REFERENCES film(id)
);
CREATE TABLE member (
  id INTEGER PRIMARY KEY,
  name TEXT,
  age INTEGER,
  country TEXT
);
CREATE TABLE rating (
  film_id INTEGER,
  member_id INTEGER,
  stars REAL,
  rated_on TEXT,
  PRIMARY KEY (film_id, member_id),
  FOREIGN KEY (film_id) REFERENCES film(id),
  FOREIGN KEY (member_id) REFERENCES member(id)
);
INSERT INTO director VALUES
(1,'Marta Ilves','Estonia',1961),
(2,'Dominic Strand','UK',1974),
(3,'Paz Olmedo','Spain',1983),
(4,'Ryo Katagiri','Japan',1949),
(5,'Lena Holloway','USA',1970),
(6,'Bastien Corre','France',1955),
(7,'Nkechi Adeyemi','UK',1988),
(8,'Warren Tuttle','USA',1942),
(9,'Sumi Arakawa','Japan',NULL);
INSERT INTO film VALUES
(1,'The Salt Clock',1998,'drama',124,1,NULL),
(2,'Paper Harbour',2004,'romance',101,2,NULL),
(3,'Nine Lanterns',1987,'crime',138,4,NULL),
(4,'Ten Lanterns',1991,'crime',145,4,3),
(5,'Orbit of Wolves',2012,'science fiction',152,5,NULL),
(6,'Wolves Descending',2016,'science fiction',149,5,5),
(7,'My Uncle the Goat',2009,'comedy',93,3,NULL),
(8,'A Quiet Ferry',1979,'drama',116,6,NULL),
(9,'Lemon Street',2019,'comedy',98,7,NULL),
(10,'Dust and Dynamo',1974,'crime',107,8,NULL),
(11,'The Goat Returns',2014,'comedy',90,3,7),
(12,'Glass Monsoon',2021,'drama',131,7,NULL),
(13,'Signal from Vesta',2001,'science fiction',119,2,NULL),
(14,'Last Tram Home',1995,'romance',104,6,NULL),
(15,'Unfinished Reel',2023,'drama',NULL,NULL,NULL);
INSERT INTO member VALUES
(1,'Adele Kirsch',29,'Germany'),
(2,'Bruno Tavola',46,'Italy'),
(3,'Cian Moran',35,'Ireland'),
(4,'Dilek Aydin',52,'Germany'),
(5,'Edgar Sloan',67,'UK'),
(6,'Freya Lund',23,'UK'),
(7,'Gaspar Roca',41,'Spain'),
(8,'Hanne Vos',38,'Germany'),
(9,'Ilya Sorin',19,NULL),
(10,'Jade Whitby',58,'UK');
INSERT INTO rating VALUES
(1,1,4.5,'2023-01-14'),(1,5,5.0,'2023-02-02'),(1,8,3.5,'2023-03-19'),
(2,2,3.0,'2023-01-21'),(2,6,4.0,'2023-04-08'),
(3,3,5.0,'2023-02-11'),(3,4,4.5,'2023-02-25'),(3,5,4.0,'2023-05-16'),(3,10,4.5,'2023-08-01'),
(4,3,3.5,'2023-02-18'),(4,4,3.0,'2023-03-04'),
(5,1,4.0,'2023-03-11'),(5,6,4.5,'2023-03-12'),(5,7,2.5,'2023-06-30'),
(6,1,2.0,'2023-03-25'),(6,6,3.0,'2023-04-01'),
(7,2,4.0,'2023-05-05'),(7,7,5.0,'2023-05-06'),(7,8,1.5,'2023-05-27'),
(8,5,4.5,'2023-06-10'),(8,10,5.0,'2023-07-22'),
(9,6,3.5,'2023-09-02'),(9,1,4.0,NULL),
(10,5,2.5,'2023-09-30'),
(11,7,3.5,'2023-10-14'),
(12,3,4.0,'2023-10-21'),(12,4,5.0,'2023-11-05'),(12,8,4.5,'2023-11-18'),
(13,2,1.0,'2023-12-02'),
(14,10,3.0,NULL);
