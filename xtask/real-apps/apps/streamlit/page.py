"""A page with a form, a table, a chart, an upload and a download."""

import pandas
import streamlit

streamlit.title("Otters")
number = streamlit.text_input("How many", "3")
streamlit.write(f"There are {number} otters")
streamlit.dataframe(pandas.DataFrame({"name": ["jane", "ruth"], "age": [3, 4]}))
streamlit.line_chart(pandas.DataFrame({"age": range(20)}))
file = streamlit.file_uploader("A file")
if file:
    streamlit.write(f"It has {len(file.getvalue())} bytes")
streamlit.download_button("Load", b"tea" * 1000, "otters.bin")
if streamlit.button("More"):
    streamlit.write("Forty-two more")
