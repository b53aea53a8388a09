def send(mail):
    server.send(mail)
