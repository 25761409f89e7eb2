"""What every notebook opens with: profile, run folder, files, tracking, figures, exercises."""
