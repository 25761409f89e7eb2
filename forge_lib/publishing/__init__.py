"""An honest model card, and the folders that go to the Hub."""
