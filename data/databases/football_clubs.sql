-- Football clubs of a fictional league with their stadiums, players, coaches and season records.
CREATE TABLE stadium (
  id INTEGER PRIMARY KEY,
  name TEXT,
  city TEXT,
  capacity INTEGER,
  opened INTEGER
);
CREATE TABLE club (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  founded INTEGER,
  stadium_id INTEGER,
  rival_id INTEGER,
  FOREIGN KEY (stadium_id) REFERENCES stadium(id),
  FOREIGN KEY (rival_id) REFERENCES club(id)
);
CREATE TABLE player (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  age INTEGER,
  nationality TEXT,
  position TEXT,
  goals INTEGER,
  market_value REAL,
  club_id INTEGER,
  FOREIGN KEY (club_id) REFERENCES club(id)
);
CREATE TABLE season_record (
  club_id INTEGER,
  season INTEGER,
  division INTEGER,
  won INTEGER,
  drawn INTEGER,
  lost INTEGER,
  points INTEGER,
  PRIMARY KEY (club_id, season),
  FOREIGN KEY (club_id) REFERENCES club(id)
);
INSERT INTO stadium VALUES
(1,'Foundry Park','Kelborough',31200,1923),(2,'The Causeway','Kelborough',18650,1961),(3,'Harbour Ground','Saltwick',24400,1938),(4,'Vale Arena','Thornby',41800,2007),
(5,'Mill Lane','Oxmere',9700,1911),(6,'Beacon Field','Durrow',14300,1984),(7,'North Terrace','Saltwick',6150,1902),(8,'Lakeside','Pinley',11900,2014),(9,'Civic Stadium','Thornby',22500,1972);
INSERT INTO club VALUES
(1,'Kelborough United',1889,1,NULL),(2,'Kelborough Rovers',1904,2,1),(3,'Saltwick Town',1892,3,NULL),(4,'Thornby City',1919,4,2),(5,'Oxmere Athletic',1898,5,4),
(6,'Durrow Rangers',1931,6,5),(7,'Saltwick Mariners',1886,7,3),(8,'Pinley FC',1967,8,NULL),(9,'Thornby Albion',1925,4,4);
INSERT INTO player VALUES
(1,'Marcus Threlfall',27,'England','forward',19,14.5,1),(2,'Diego Sarmento',24,'Brazil','midfielder',8,11.2,1),(3,'Piotr Walczak',31,'Poland','goalkeeper',0,3.1,1),(4,'Joe Ampah',22,'Ghana','forward',13,9.8,2),
(5,'Callum Reith',29,'Scotland','defender',2,4.4,2),(6,'Liam Orrell',19,'England','midfielder',4,6.7,3),(7,'Bastien Courel',26,'France','defender',3,7.3,3),(8,'Rui Tavora',28,'Brazil','forward',22,18.9,4),
(9,'Adam Skov',33,'Denmark','midfielder',6,2.2,4),(10,'Hamish Kerr',25,'Scotland','goalkeeper',0,5.9,4),(11,'Tyrone Beck',23,'England','defender',1,3.6,5),(12,'Kwame Osei',30,'Ghana','midfielder',7,2.8,5),
(13,'Henri Lasalle',21,'France','forward',11,8.1,6),(14,'Greg Nuttall',35,'England','defender',0,0.4,7),(15,'Mikkel Dam',20,'Denmark','forward',5,3.3,8),(16,'Owen Farr',18,'England','midfielder',NULL,1.5,NULL),(17,'Sergio Pinto',32,'Brazil','defender',2,NULL,8);
INSERT INTO season_record VALUES
(1,2021,1,21,9,8,72),(1,2022,1,18,11,9,65),(1,2023,1,24,6,8,78),(2,2021,1,11,12,15,45),(2,2022,1,7,9,22,30),(2,2023,2,20,10,8,70),(3,2021,2,17,13,8,64),(3,2022,2,22,8,8,74),
(3,2023,1,12,10,16,46),(4,2021,1,26,7,5,85),(4,2022,1,25,8,5,83),(4,2023,1,22,9,7,75),(5,2021,2,9,14,15,41),(5,2022,2,13,11,14,50),(5,2023,2,10,9,19,39),(6,2022,2,15,7,16,52),
(6,2023,2,16,10,12,58),(7,2021,3,14,9,15,51),(7,2022,3,8,8,22,32),(8,2022,3,19,12,7,69),(8,2023,3,23,5,10,NULL);
