-- Esports teams, their players, the tournaments they enter and the prize money they take home.
CREATE TABLE team (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT,
  founded INTEGER,
  budget REAL
);
CREATE TABLE player (
  id INTEGER PRIMARY KEY,
  nickname TEXT NOT NULL,
  age INTEGER,
  country TEXT,
  role TEXT,
  rating REAL,
  team_id INTEGER REFERENCES team(id)
);
CREATE TABLE tournament (
  id INTEGER PRIMARY KEY,
  name TEXT,
  game TEXT,
  city TEXT,
  year INTEGER,
  prize_pool INTEGER
);
CREATE TABLE result (
  tournament_id INTEGER REFERENCES tournament(id),
  team_id INTEGER REFERENCES team(id),
  place INTEGER,
  prize INTEGER,
  maps_won INTEGER,
  maps_lost INTEGER,
  PRIMARY KEY (tournament_id, team_id)
);
INSERT INTO team VALUES
(1,'Night Herons','Sweden',2013,2.4),(2,'Copper Foxes','Germany',2015,1.85),(3,'Zero Harbor','South Korea',2011,4.1),
(4,'Paper Tigers','Sweden',2018,0.9),(5,'Lumen Five','Brazil',2016,1.3),(6,'Red Monsoon','South Korea',2014,3.6),
(7,'Static Owls','Germany',2019,0.75),(8,'Grand Delta','Brazil',2017,1.1),(9,'Polar Clan','Canada',2012,NULL),(10,'Velvet Ravens','Denmark',2020,0.6);
INSERT INTO player VALUES
(1,'frostbyte',22,'Sweden','sniper',1.18,1),(2,'Omen',25,'Denmark','captain',1.02,1),(3,'kiru',19,'South Korea','sniper',1.31,3),
(4,'haneul',21,'South Korea','captain',1.09,3),(5,'dachs',27,'Germany','support',0.94,2),(6,'Quarz',23,'Germany','entry',1.11,2),
(7,'mandioca',20,'Brazil','entry',1.21,5),(8,'Tucano',24,'Brazil','captain',0.99,5),(9,'ssak',18,'South Korea','entry',1.27,6),
(10,'bluepine',26,'Canada','support',0.91,9),(11,'Vinter',17,'Sweden','entry',1.06,4),(12,'lillen',21,'Sweden','support',0.97,4),
(13,'uhu',22,'Germany','sniper',1.14,7),(14,'rio7',29,'Brazil','support',0.88,8),(15,'jaeb',23,'South Korea','support',1.04,6),
(16,'wander',28,'Canada','captain',NULL,NULL),
(17,'Kohle',20,'Germany','entry',1.08,2),(18,'Saudade',22,'Brazil','sniper',1.16,8),(19,'norrsken',24,'Sweden','support',0.93,1),(20,'maple',19,'Canada','sniper',1.24,NULL);
INSERT INTO tournament VALUES
(1,'Baltic Masters','Siege Line','Riga',2021,250000),(2,'Rhine Invitational','Siege Line','Cologne',2022,400000),
(3,'Han River Cup','Arcane Rift','Seoul',2022,620000),(4,'Samba Open','Arcane Rift','Recife',2023,180000),
(5,'Northern Lights','Siege Line','Malmo',2023,320000),(6,'World Rift Finals','Arcane Rift','Seoul',2023,1200000),
(7,'Turbo Ball Series','Turbo Ball','Toronto',2024,95000),(8,'Autumn Clash','Siege Line','Cologne',2024,275000);
INSERT INTO result VALUES
(1,1,1,125000,9,3),(1,2,2,60000,7,5),(1,4,4,15000,3,6),(2,1,3,45000,6,4),(2,2,1,200000,10,2),(2,3,2,90000,8,4),
(2,7,6,8000,2,5),(3,3,1,310000,12,3),(3,6,2,140000,10,5),(3,5,5,22000,4,7),(4,5,1,90000,8,2),(4,8,2,45000,6,4),
(4,6,3,20000,5,3),(5,1,2,72000,8,5),(5,4,1,160000,11,4),(5,7,3,36000,6,6),(6,3,2,260000,11,6),(6,6,1,600000,13,5),
(6,5,4,75000,7,8),(8,2,1,137000,9,1),(8,1,5,11000,3,5),(8,4,2,66000,7,3);
