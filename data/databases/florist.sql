-- A florist that makes bouquets from flowers bought from growers and delivers them to customers.
CREATE TABLE Grower (
  Grower_ID INTEGER PRIMARY KEY,
  Grower_Name TEXT NOT NULL,
  Country TEXT,
  Delivery_Days INTEGER
);
CREATE TABLE Flower (
  Flower_ID INTEGER PRIMARY KEY,
  Flower_Name TEXT NOT NULL,
  Colour TEXT,
  Stem_Cost REAL,
  Season TEXT,
  Grower_ID INTEGER REFERENCES Grower(Grower_ID)
);
CREATE TABLE Bouquet (
  Bouquet_ID INTEGER PRIMARY KEY,
  Bouquet_Name TEXT NOT NULL,
  Occasion TEXT,
  Price REAL
);
CREATE TABLE Bouquet_Flower (
  Bouquet_ID INTEGER REFERENCES Bouquet(Bouquet_ID),
  Flower_ID INTEGER REFERENCES Flower(Flower_ID),
  Stems INTEGER,
  PRIMARY KEY (Bouquet_ID, Flower_ID)
);
CREATE TABLE Delivery (
  Delivery_ID INTEGER PRIMARY KEY,
  Bouquet_ID INTEGER NOT NULL REFERENCES Bouquet(Bouquet_ID),
  Recipient TEXT,
  Town TEXT,
  Delivery_Date TEXT,
  Distance_Km REAL,
  Status TEXT,
  Tip REAL
);
INSERT INTO Grower VALUES
(1,'Van Elst Bulbs','Netherlands',2),(2,'Rift Valley Roses','Kenya',4),(3,'Tamar Nurseries','England',1),(4,'Fiori Sanremo','Italy',3),(5,'De Kruid','Netherlands',2),(6,'Hillside Patch','England',1),(7,'Savanna Stems','Kenya',5),(8,'Costa Verde','Spain',3);
INSERT INTO Flower VALUES
(1,'Rose','red',1.45,'all year',2),(2,'Rose','white',1.3,'all year',7),(3,'Tulip','yellow',0.55,'spring',1),(4,'Tulip','purple',0.62,'spring',5),(5,'Lily','white',1.95,'summer',1),(6,'Carnation','pink',0.4,'all year',4),
(7,'Daffodil','yellow',0.25,'spring',3),(8,'Peony','pink',2.85,'summer',6),(9,'Sunflower','yellow',1.1,'summer',4),(10,'Eucalyptus','green',0.7,'all year',NULL),(11,'Iris','purple',0.8,'spring',5),(12,'Dahlia','red',1.6,'autumn',6),(13,'Freesia','white',0.95,'winter',1);
INSERT INTO Bouquet VALUES
(1,'First Light','birthday',28.5),(2,'Scarlet Dozen','romance',46),(3,'Quiet Garden','sympathy',39.9),(4,'Market Bunch','everyday',14.75),(5,'Sunday Best','everyday',21),(6,'Bridal Cloud','wedding',88),(7,'Harvest Moon','birthday',34.25),(8,'Velvet Night','romance',57.5),(9,'Winter Hush','sympathy',42);
INSERT INTO Bouquet_Flower VALUES
(1,3,8),(1,11,5),(1,10,3),(2,1,12),(2,10,4),(3,5,6),(3,2,5),(3,10,6),(4,7,15),(4,6,7),(5,3,6),(5,4,9),(6,2,14),(6,8,9),(6,13,10),(7,9,5),(7,12,6),(8,1,9),(8,12,4),(9,13,8),(9,5,4);
INSERT INTO Delivery VALUES
(1,2,'Imogen Fry','Ashwell','2024-02-14',3.2,'delivered',5),(2,2,'Karl Dietz','Pennock','2024-02-14',11.6,'delivered',0),(3,8,'Lucia Romano','Ashwell','2024-02-14',4.1,'refused',NULL),(4,4,'Bram Tuck','Ashwell','2024-03-02',1.8,'delivered',2),
(5,1,'Hattie Gorse','Marbury','2024-03-10',7.4,'delivered',3.5),(6,3,'Noor Rahman','Pennock','2024-03-19',12.9,'delivered',NULL),(7,5,'Felix Oram','Marbury','2024-04-07',6.6,'delivered',1.5),(8,6,'Erin Cavell','Stoke Lacey','2024-05-25',19.3,'delivered',15),
(9,1,'Dora Minchin','Ashwell','2024-05-30',2.5,'late',0.5),(10,7,'Samir Haddad','Stoke Lacey','2024-06-16',21.7,'delivered',4),(11,6,'Paula Verne','Marbury','2024-06-29',8.2,'late',NULL),(12,4,'Bram Tuck','Ashwell','2024-07-06',1.9,'delivered',2.2),
(13,8,'Otto Lang','Pennock','2024-08-11',13.8,'delivered',6.5),(14,3,'Wilma Sears','Marbury','2024-08-23',5.9,'refused',NULL),(15,5,'Hattie Gorse','Marbury','2024-09-01',7.3,'delivered',3),(16,7,'Cyril Dane','Pennock','2024-10-05',10.4,'late',1);
