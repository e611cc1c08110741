"""The engines' names, and what the artist is told of them."""

# Best first: name, title, a sentence.
ENGINES = (
    ("recammaster", "ReCamMaster", "Re-renders the clip with a video model."),
    (
        "projection",
        "Projection",
        "A preview: exact for pans, tilts and lens changes, flat for moves.",
    ),
)
