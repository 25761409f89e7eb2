-- A fashion store with its brands, garments, shop assistants, customers and sales.
CREATE TABLE Brand (
  BrandId INTEGER PRIMARY KEY,
  BrandName TEXT NOT NULL,
  Country TEXT,
  FoundedYear INTEGER
);
CREATE TABLE Garment (
  GarmentId INTEGER PRIMARY KEY,
  BrandId INTEGER NOT NULL,
  Title TEXT,
  Category TEXT,
  Colour TEXT,
  Size TEXT,
  ListPrice REAL,
  StockQty INTEGER,
  FOREIGN KEY (BrandId) REFERENCES Brand(BrandId)
);
CREATE TABLE Assistant (
  AssistantId INTEGER PRIMARY KEY,
  FirstName TEXT,
  LastName TEXT,
  HiredOn TEXT,
  HourlyWage REAL,
  MentorId INTEGER,
  FOREIGN KEY (MentorId) REFERENCES Assistant(AssistantId)
);
CREATE TABLE Sale (
  SaleId INTEGER PRIMARY KEY,
  GarmentId INTEGER NOT NULL,
  AssistantId INTEGER,
  SaleDate TEXT,
  Quantity INTEGER,
  Discount REAL,
  PaidBy TEXT,
  FOREIGN KEY (GarmentId) REFERENCES Garment(GarmentId),
  FOREIGN KEY (AssistantId) REFERENCES Assistant(AssistantId)
);
INSERT INTO Brand VALUES
(1,'Vellaro','Italy',1962),(2,'Nordsom','Denmark',1998),(3,'Atelier Brune','France',1947),(4,'Kasumi','Japan',2005),
(5,'Porto Linho','Portugal',1981),(6,'Ferrante Due','Italy',1975),(7,'Hedgerow','Ireland',2011),(8,'Maison Clair','France',2016);
INSERT INTO Garment VALUES
(1,1,'Roma blazer','jacket','navy','M',249,6),(2,1,'Roma blazer','jacket','black','L',255,3),(3,2,'Fjord parka','jacket','olive','L',310,4),
(4,2,'Skagen knit','sweater','cream','S',98,15),(5,3,'Lune dress','dress','black','S',189,7),(6,3,'Iris dress','dress','red','M',205,0),
(7,4,'Sumi shirt','shirt','white','M',79,22),(8,4,'Indigo trousers','trousers','navy','M',118,11),(9,5,'Douro shirt','shirt','white','L',64,31),
(10,5,'Linen trousers','trousers','cream','L',88,9),(11,6,'Sera gown','dress','red','L',420,2),(12,6,'Wool coat','jacket','black','M',388,5),
(13,7,'Moss sweater','sweater','olive','M',112,13),(14,7,'Aran sweater','sweater','cream',NULL,135,8);
INSERT INTO Assistant VALUES
(1,'Carla','Venn','2012-03-01',19.4,NULL),(2,'Ines','Marquet','2016-09-12',17.25,1),(3,'Jonas','Abel','2018-05-20',16.1,1),(4,'Priya','Nair','2019-11-04',15.8,2),
(5,'Leo','Sandoz','2021-02-15',14.3,2),(6,'Tilda','Kray','2022-06-01',13.9,3),(7,'Owen','Marsh','2023-08-21',13.2,NULL),(8,'Bea','Lund','2024-01-10',12.85,4);
INSERT INTO Sale VALUES
(1,1,2,'2024-01-06',1,0,'card'),(2,4,3,'2024-01-06',2,0.1,'card'),(3,7,2,'2024-01-13',3,0,'cash'),(4,9,4,'2024-01-20',2,0.2,'card'),
(5,5,1,'2024-02-03',1,0,'card'),(6,6,1,'2024-02-10',1,0.15,'voucher'),(7,13,5,'2024-02-17',1,0,'cash'),(8,3,3,'2024-02-24',1,0.05,'card'),
(9,8,4,'2024-03-02',2,0,'card'),(10,11,1,'2024-03-09',1,0,'card'),(11,9,6,'2024-03-16',4,0.25,'cash'),(12,7,5,'2024-03-30',1,0,'voucher'),
(13,10,2,'2024-04-06',1,0,'card'),(14,12,3,'2024-04-13',1,0.3,'card'),(15,4,6,'2024-04-27',1,0,'cash'),(16,1,1,'2024-05-04',1,0.1,'card'),
(17,5,2,'2024-05-18',2,0,'card'),(18,13,7,'2024-06-01',2,0.2,'voucher'),(19,9,NULL,'2024-06-08',5,0,'card'),(20,6,4,'2024-06-22',1,NULL,'card'),
(21,8,7,'2024-06-29',1,0,'cash'),(22,7,NULL,'2024-07-06',2,0.1,'card');
