-- Recycling centres, collection trucks and the loads of material they brought in.
CREATE TABLE materials (
  material_id INTEGER PRIMARY KEY,
  material_name TEXT NOT NULL,
  category TEXT,
  price_per_tonne REAL,
  is_hazardous INTEGER
);
CREATE TABLE centres (
  centre_id INTEGER PRIMARY KEY,
  centre_name TEXT NOT NULL,
  municipality TEXT,
  capacity_tonnes INTEGER,
  opened_year INTEGER
);
CREATE TABLE trucks (
  truck_id INTEGER PRIMARY KEY,
  plate TEXT,
  fuel TEXT,
  payload_kg INTEGER,
  home_centre_id INTEGER REFERENCES centres(centre_id)
);
CREATE TABLE loads (
  load_id INTEGER PRIMARY KEY,
  truck_id INTEGER NOT NULL REFERENCES trucks(truck_id),
  centre_id INTEGER NOT NULL REFERENCES centres(centre_id),
  material_id INTEGER NOT NULL REFERENCES materials(material_id),
  load_date TEXT,
  weight_kg REAL,
  contamination_pct REAL
);
CREATE TABLE accepted_materials (
  centre_id INTEGER REFERENCES centres(centre_id),
  material_id INTEGER REFERENCES materials(material_id),
  PRIMARY KEY (centre_id, material_id)
);
INSERT INTO materials VALUES
(1,'clear glass','glass',28.5,0),(2,'mixed glass','glass',11.0,0),
(3,'cardboard','paper',74.0,0),(4,'newsprint','paper',92.5,0),
(5,'PET bottles','plastic',265.0,0),(6,'film','plastic',41.0,0),
(7,'aluminium','metal',890.0,0),(8,'steel','metal',148.0,0),
(9,'batteries','electrical',310.0,1),(10,'fridges','electrical',-35.0,1),
(11,'paint','chemical',-120.0,1);
INSERT INTO centres VALUES
(1,'Mill Lane','Aldery',5200,1996),(2,'Eastfields','Aldery',8800,2007),
(3,'Quayside','Port Linnet',3100,2001),(4,'Hollow Way','Port Linnet',6450,2014),
(5,'Beacon','Sturton',2700,1989),(6,'North Cross','Sturton',7300,2019),
(7,'The Sidings','Wray',1950,2003),(8,'Greenend','Wray',NULL,2024);
INSERT INTO trucks VALUES
(1,'KL41 RTA','diesel',11500,1),(2,'KL52 BNE','diesel',9800,1),(3,'MD63 OPS','gas',12600,2),
(4,'MD68 WEX','electric',8200,2),(5,'PR19 CAD','diesel',10400,3),(6,'PR21 HUL','electric',8900,4),
(7,'SA15 TIV','gas',12100,5),(8,'SA22 NOR','electric',9300,6),(9,'TW12 GEM','diesel',7600,NULL);
INSERT INTO loads VALUES
(1,1,1,3,'2023-05-02',4120.0,3.2),(2,1,1,1,'2023-05-03',7850.5,1.1),
(3,2,1,5,'2023-05-04',1930.0,8.4),(4,3,2,8,'2023-05-04',9410.0,2.6),
(5,3,2,7,'2023-05-09',1265.0,0.9),(6,4,2,4,'2023-05-10',5075.0,4.0),
(7,5,3,2,'2023-05-11',8640.0,6.7),(8,5,4,3,'2023-05-12',3985.5,5.1),
(9,6,4,6,'2023-05-15',880.0,14.8),(10,6,4,5,'2023-05-17',2140.0,9.9),
(11,7,5,1,'2023-05-18',10220.0,1.8),(12,7,6,9,'2023-05-22',415.0,NULL),
(13,8,6,10,'2023-05-23',2760.0,NULL),(14,8,6,3,'2023-05-24',4430.0,2.2),
(15,9,3,8,'2023-05-25',6095.0,3.7),(16,2,2,2,'2023-05-29',7315.0,7.5),
(17,4,1,4,'2023-05-30',4890.0,3.4),(18,3,6,7,'2023-06-01',1540.0,1.5),
(19,6,3,11,'2023-06-02',390.5,NULL),(20,1,2,5,'2023-06-05',2015.0,11.3);
INSERT INTO accepted_materials VALUES
(1,1),(1,3),(1,4),(1,5),(2,2),(2,4),(2,5),(2,7),(2,8),(3,2),(3,8),(3,11),
(4,3),(4,5),(4,6),(5,1),(5,9),(6,3),(6,7),(6,9),(6,10),(7,1),(7,3);
