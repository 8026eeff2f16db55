"""A page with a function at once, one that streams, one that takes a file, and one that fails."""

import sys
import time

import gradio


def greet(name, times):
    return f"Hello {name}! " * int(times)


def count(limit):
    for number in range(int(limit)):
        time.sleep(0.05)
        yield number


def measure(file):
    return len(open(file, "rb").read())


def fail(word):
    raise gradio.Error(f"no {word}")


with gradio.Blocks() as page:
    name, times = gradio.Textbox(label="Name"), gradio.Number(2, label="Times")
    greeting, number = gradio.Textbox(label="Greeting"), gradio.Number(label="Count")
    file = gradio.File(label="File")
    gradio.Button("Greet").click(greet, [name, times], greeting, api_name="greet")
    gradio.Button("Count").click(count, times, number, api_name="count")
    gradio.Button("Measure").click(measure, file, number, api_name="measure")
    gradio.Button("Fail").click(fail, name, greeting, api_name="fail")

page.launch(server_name="127.0.0.1", server_port=int(sys.argv[1]))
