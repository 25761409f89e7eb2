-- An escape room company: its branches, rooms, game masters, and the team sessions played.
CREATE TABLE branches (
  branch_id INTEGER PRIMARY KEY,
  branch_name TEXT NOT NULL,
  city TEXT,
  opened_on TEXT
);
CREATE TABLE rooms (
  room_id INTEGER PRIMARY KEY,
  room_title TEXT NOT NULL,
  branch_id INTEGER NOT NULL,
  theme TEXT,
  difficulty INTEGER,
  max_players INTEGER,
  base_price REAL,
  FOREIGN KEY (branch_id) REFERENCES branches(branch_id)
);
CREATE TABLE game_masters (
  master_id INTEGER PRIMARY KEY,
  master_name TEXT NOT NULL,
  branch_id INTEGER,
  trained_by INTEGER,
  FOREIGN KEY (branch_id) REFERENCES branches(branch_id),
  FOREIGN KEY (trained_by) REFERENCES game_masters(master_id)
);
CREATE TABLE sessions (
  session_id INTEGER PRIMARY KEY,
  room_id INTEGER NOT NULL,
  master_id INTEGER,
  team_name TEXT,
  team_size INTEGER,
  played_on TEXT,
  escaped TEXT,
  minutes_taken REAL,
  hints_used INTEGER,
  FOREIGN KEY (room_id) REFERENCES rooms(room_id),
  FOREIGN KEY (master_id) REFERENCES game_masters(master_id)
);
INSERT INTO branches VALUES
(1,'Keyhole Central','Ardley','2016-04-09'),
(2,'Keyhole Canal','Ardley','2019-10-25'),
(3,'Keyhole West','Tamsworth','2018-02-17'),
(4,'Keyhole Pier','Skerry','2021-06-05'),
(5,'Keyhole Mill','Bexton','2024-05-11');
INSERT INTO rooms VALUES
(1,'The Pharaoh Seal',1,'adventure',3,6,96),
(2,'Cell 19',1,'prison',4,5,90),
(3,'Professor Lost',1,'mystery',2,4,72),
(4,'Submarine Down',2,'adventure',5,6,114),
(5,'The Clockmaker',2,'mystery',4,5,98),
(6,'Asylum',3,'horror',5,6,120),
(7,'Bank Night',3,'heist',3,8,128),
(8,'Wizard School',3,'fantasy',1,8,104),
(9,'Ghost Ship',4,'horror',4,7,110),
(10,'Diamond Run',4,'heist',2,6,88),
(11,'Dragon Cellar',5,'fantasy',3,5,NULL);
INSERT INTO game_masters VALUES
(1,'Cass Ferris',1,NULL),
(2,'Ruben Holt',1,1),
(3,'Maya Trent',2,1),
(4,'Oskar Lind',3,NULL),
(5,'Bryony Tate',3,4),
(6,'Finn Gallow',4,3),
(7,'Dee Marlowe',4,6),
(8,'Ivy Castle',NULL,4);
INSERT INTO sessions VALUES
(1,1,1,'Mind Benders',5,'2023-09-02','yes',51.5,2),
(2,2,2,'Lock Stars',4,'2023-09-02','no',60,5),
(3,3,2,'Puzzled Four',4,'2023-09-08','yes',38.2,1),
(4,4,3,'Deep Thought',6,'2023-09-15','no',60,4),
(5,6,4,'Night Shift',3,'2023-09-16','no',60,6),
(6,7,5,'Mind Benders',5,'2023-09-23','yes',47.8,0),
(7,8,5,'The Smiths',8,'2023-09-30','yes',33.6,3),
(8,9,6,'Sea Dogs',7,'2023-10-07','yes',58.1,4),
(9,1,2,'Red Herrings',6,'2023-10-14','yes',55,3),
(10,5,3,'Lock Stars',4,'2023-10-21','yes',49.9,2),
(11,6,4,'Brave Hearts',6,'2023-10-31','yes',59.3,5),
(12,9,7,'Boo Crew',5,'2023-10-31','no',60,7),
(13,10,6,'Office Party',6,'2023-11-17','yes',29.4,1),
(14,2,1,'Red Herrings',5,'2023-11-25','yes',56.7,2),
(15,4,3,'Mind Benders',5,'2023-12-02','yes',57.2,1),
(16,7,4,'Office Party',8,'2023-12-15','no',60,NULL),
(17,3,1,'Snow Owls',2,'2023-12-22','yes',44,2),
(18,8,5,'Cousins United',7,'2023-12-28','yes',41.3,4),
(19,10,7,'Boo Crew',4,'2024-01-06','yes',35.8,0),
(20,5,NULL,'Deep Thought',6,'2024-01-13','no',60,3),
(21,6,4,'Lock Stars',4,'2024-01-20','no',60,2);
