-- A dental laboratory that makes crowns and dentures for dentists, with its technicians and jobs.
CREATE TABLE Dentist (
  Dentist_ID INTEGER PRIMARY KEY,
  Dentist_Name TEXT NOT NULL,
  Practice TEXT,
  City TEXT,
  Discount_Pct REAL
);
CREATE TABLE Technician (
  Technician_ID INTEGER PRIMARY KEY,
  Technician_Name TEXT NOT NULL,
  Specialty TEXT,
  Years_Experience INTEGER,
  Monthly_Salary REAL
);
CREATE TABLE Product (
  Product_ID INTEGER PRIMARY KEY,
  Product_Name TEXT NOT NULL,
  Category TEXT,
  Material TEXT,
  List_Price REAL
);
CREATE TABLE Lab_Job (
  Job_ID INTEGER PRIMARY KEY,
  Dentist_ID INTEGER NOT NULL,
  Product_ID INTEGER NOT NULL,
  Technician_ID INTEGER,
  Received_Date TEXT,
  Delivered_Date TEXT,
  Units INTEGER,
  Shade TEXT,
  FOREIGN KEY (Dentist_ID) REFERENCES Dentist(Dentist_ID),
  FOREIGN KEY (Product_ID) REFERENCES Product(Product_ID),
  FOREIGN KEY (Technician_ID) REFERENCES Technician(Technician_ID)
);
CREATE TABLE Remake (
  Remake_ID INTEGER PRIMARY KEY,
  Job_ID INTEGER NOT NULL,
  Reason TEXT,
  Extra_Cost REAL,
  FOREIGN KEY (Job_ID) REFERENCES Lab_Job(Job_ID)
);
INSERT INTO Dentist VALUES
(1,'Dr Elsa Horn','Park Dental','Aldham',5),
(2,'Dr Tim Oakes','Smile House','Aldham',0),
(3,'Dr Priya Sethi','Bridge Clinic','Corran',7.5),
(4,'Dr Lars Moen','Bridge Clinic','Corran',7.5),
(5,'Dr Judith Ware','Market Practice','Stowe',10),
(6,'Dr Ali Karimi','Hillview','Stowe',2.5),
(7,'Dr Fiona Bell','Smile House','Aldham',NULL),
(8,'Dr Gus Penny','Harbour Teeth','Limney',4);
INSERT INTO Technician VALUES
(1,'Milan Beck','ceramics',18,3450),
(2,'Carla Dunn','dentures',9,2780),
(3,'Rory Shiel','orthodontics',5,2390),
(4,'Yuki Mori','ceramics',12,3120),
(5,'Pat Lomax','dentures',27,3600),
(6,'Zofia Wilk','ceramics',2,2050);
INSERT INTO Product VALUES
(1,'Porcelain Crown','crown','porcelain',185),
(2,'Zirconia Crown','crown','zirconia',240),
(3,'Gold Crown','crown','gold alloy',410),
(4,'Three Unit Bridge','bridge','zirconia',620),
(5,'Full Denture','denture','acrylic',355),
(6,'Partial Denture','denture','acrylic',270),
(7,'Metal Partial','denture','chrome',395),
(8,'Night Guard','appliance','acrylic',95),
(9,'Retainer','appliance','acrylic',70),
(10,'Veneer','veneer','porcelain',210);
INSERT INTO Lab_Job VALUES
(1,1,1,1,'2024-01-08','2024-01-17',2,'A2'),
(2,1,5,2,'2024-01-10','2024-01-29',1,'A3'),
(3,2,8,3,'2024-01-11','2024-01-15',1,NULL),
(4,3,4,4,'2024-01-15','2024-02-02',1,'B1'),
(5,3,2,1,'2024-01-16','2024-01-26',3,'A1'),
(6,4,6,5,'2024-01-19','2024-02-05',1,'A3'),
(7,5,3,4,'2024-01-22','2024-02-01',1,NULL),
(8,5,1,6,'2024-01-25','2024-02-09',4,'A2'),
(9,5,7,5,'2024-01-29','2024-02-16',1,'B2'),
(10,6,9,3,'2024-01-31','2024-02-06',2,NULL),
(11,2,10,1,'2024-02-02','2024-02-14',6,'B1'),
(12,6,2,4,'2024-02-05','2024-02-15',1,'A2'),
(13,3,5,2,'2024-02-07','2024-02-27',2,'A3'),
(14,8,8,3,'2024-02-12','2024-02-19',1,NULL),
(15,4,1,6,'2024-02-14','2024-02-28',1,'A1'),
(16,1,4,1,'2024-02-19','2024-03-08',1,'A2'),
(17,5,6,5,'2024-02-23',NULL,1,'B2'),
(18,8,10,NULL,'2024-02-26',NULL,8,'A1');
INSERT INTO Remake VALUES
(1,1,'wrong shade',42.5),
(2,5,'poor fit',88),
(3,8,'poor fit',115),
(4,8,'fracture',64),
(5,9,'poor fit',150),
(6,11,'wrong shade',97),
(7,13,'bite too high',38),
(8,15,'fracture',NULL);
