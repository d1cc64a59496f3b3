"""What another reader found, over the study on screen: annotations taken over, or measurements."""
